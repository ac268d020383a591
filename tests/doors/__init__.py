"""What each account of the platform may open, and what it may not: one table for each store.

The engine tier walks them on a store that runs alone, the e2e tier on the sandbox's two tenants.
"""
