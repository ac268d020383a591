"""What one bundle has and another has not; bundles that carry only that.

`volumes.source` reads `delta`, everything else here reads `volumes`: so nothing is imported here.
"""
