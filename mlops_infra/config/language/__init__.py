"""What every section is made of: its base model, YAML that remembers lines, and mistakes told."""
