"""Pushes a bundle into a site's registry, straight from the media it was carried on."""

from offline_bundle.push.pushing import Pushed, push
from offline_bundle.push.receipt import Receipt

__all__ = ["Pushed", "Receipt", "push"]
