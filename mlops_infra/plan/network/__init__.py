"""Where services are reached, who may reach them, and what a site's network asks."""
