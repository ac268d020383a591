"""Programs that are uploaded and run on AWS: each is one file that imports nothing of this kit."""
