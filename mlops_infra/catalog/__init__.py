"""What there is: every component with version, licence and its source, images, needs, provides.

Data in `data/*.yaml`, one file a component, and this typed reader. Pure: nothing but those files is
read, nothing is asked of a network.
"""

from mlops_infra.catalog.loading import load_catalog
from mlops_infra.catalog.model import (
    Catalog,
    CatalogSecret,
    Component,
    Image,
    Kind,
    Licence,
    Phase,
    Port,
    User,
)
from mlops_infra.catalog.spdx import alternatives, parse
from mlops_infra.catalog.versions import matches, newest_first

__all__ = [
    "Catalog",
    "CatalogSecret",
    "Component",
    "Image",
    "Kind",
    "Licence",
    "Phase",
    "Port",
    "User",
    "alternatives",
    "load_catalog",
    "matches",
    "newest_first",
    "parse",
]
