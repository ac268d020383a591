"""Which image each role gets, and which may not be shipped."""
