"""Programs that are uploaded and run on AWS: each is one file that imports nothing of this kit.

Beside them stands `raw_to_parquet_pandas`, which does the work of one of them on any machine.
"""
