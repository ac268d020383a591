"""Offline bundles for closed networks: discover, lock, fetch, pack, sign, verify, push, install."""
