"""Takes out of a site's registry what no bundle brought."""
