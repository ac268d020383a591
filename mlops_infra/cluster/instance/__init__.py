"""One cluster: what it is, where its files lie, its addresses, lock and logs."""
