"""The whole platform at one moment: what is wanted, what is there, and a page to send around."""

from mlops_infra.overview.collecting import collect
from mlops_infra.overview.model import ComponentState, Link, Overview
from mlops_infra.overview.page import render

__all__ = ["ComponentState", "Link", "Overview", "collect", "render"]
