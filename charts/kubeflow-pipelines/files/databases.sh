# Read by the image's entry point, once, when the data folder is empty. Both programs want to make
# their database themselves, which needs the right to it beforehand.
for database in "$PIPELINES_DATABASE" "$METADATA_DATABASE"; do
  docker_process_sql --database=mysql <<-SQL
	CREATE DATABASE IF NOT EXISTS \`$database\`;
	GRANT ALL ON \`$database\`.* TO '$MYSQL_USER'@'%';
SQL
done
