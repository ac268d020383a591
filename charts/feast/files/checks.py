"""Looks at a request for online features before Feast does, which answers mistakes with HTTP 500.

Feast takes 1.5 for the key 1, and answers no rows, no key, a text where a number belongs and a
feature that does not exist as if the server had failed. Whoever asks is told what is wrong instead.
"""

import asyncio
import time

PATH = "/get-online-features"
FRESH_SECONDS = 60.0
MOST_ROWS = 100_000
_NO_KEY = "__dummy_id"
"""Feast's own key of a view that has none."""
_WHOLE = {"INT32": 2**31, "INT64": 2**63}


class Refusal(Exception):
    """What is wrong with a request, and the status that says so."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Known:
    """Views, their features and their keys, read again from the registry's cache by the minute."""

    def __init__(self, store, clock=time.monotonic):
        self._store, self._clock = store, clock
        self._read_at = None
        self._views, self._types = {}, {}

    def check(self, features, entities):
        """Hold a request against the registry.

        Raises:
            Refusal: with the first mistake.
        """
        for name in features:
            self._feature(name)
        for name in features:
            for key in self._view(_view(name)).get("keys", ()):
                if key not in entities and key != _NO_KEY:
                    raise Refusal(422, f"{_view(name)} needs the key {key}")
        rows = {len(values) for values in entities.values()}
        if 0 in rows:
            raise Refusal(422, "there are no rows: give at least one value for each key")
        if len(rows) > 1:
            raise Refusal(422, f"the keys differ in rows: {sorted(rows)}")
        if rows and max(rows) > MOST_ROWS:
            raise Refusal(413, f"at most {MOST_ROWS} rows can be asked for at once")
        for key, values in entities.items():
            self._values(key, values)

    def _feature(self, name):
        view, found, feature = name.partition(":")
        if not found or not view or not feature:
            raise Refusal(422, f"{name[:100]!r} is not a feature: VIEW:FEATURE is")
        held = self._view(_view(name))
        if held is None:
            raise Refusal(404, f"no such feature view: {_view(name)[:100]!r}")
        if feature not in held["features"]:
            known = ", ".join(sorted(held["features"])[:20])
            raise Refusal(422, f"{view[:100]} has no feature {feature[:100]!r}; it has {known}")

    def _view(self, name):
        stale = self._read_at is None or self._clock() - self._read_at > FRESH_SECONDS
        if stale or name not in self._views:
            self._read()
        return self._views.get(name)

    def _read(self):
        on_demand = self._store.list_on_demand_feature_views(allow_cache=True)
        views = {each.name: {"features": {f.name for f in each.features}} for each in on_demand}
        types = {}
        for view in self._store.list_feature_views(allow_cache=True):
            keys = {each.name: each.dtype.to_value_type().name for each in view.entity_columns}
            views[view.name] = {"features": {f.name for f in view.features}, "keys": keys}
            types.update(keys)
        self._views, self._types, self._read_at = views, types, self._clock()

    def _values(self, key, values):
        kind = self._types.get(key)
        for row, value in enumerate(values):
            if fault := kind and _fault(value, kind):
                raise Refusal(422, f"{key}, row {row}: {fault}")


def _view(name):
    return name.partition(":")[0].partition("@")[0]


def _fault(value, kind):
    """Why a value cannot be a key of its type; None where it can."""
    if value is None:
        return "it is missing"
    if kind in _WHOLE:
        whole = type(value) is int or (type(value) is float and value.is_integer())
        if not whole:
            return f"{repr(value)[:60]} is not a whole number"
        return None if -_WHOLE[kind] <= value < _WHOLE[kind] else f"{value} does not fit in {kind}"
    if kind == "STRING":
        if type(value) is not str:
            return f"{repr(value)[:60]} is not a text"
        return None if _is_whole_text(value) else "it holds half of a surrogate pair"
    return None


def _is_whole_text(value):
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def add(app, store):
    """Put the check before Feast's own route."""
    from fastapi import HTTPException
    from feast.feature_server import GetOnlineFeaturesRequest

    routes = app.router.routes
    route = next(each for each in routes if getattr(each, "path", "") == PATH)
    routes.remove(route)
    known = Known(store)

    def check(request):
        features = request.features
        if request.feature_service:
            service = store.get_feature_service(request.feature_service, allow_cache=True)
            held = service.feature_view_projections
            features = [f"{view.name}:{each.name}" for view in held for each in view.features]
        known.check(features, request.entities)

    @app.post(PATH, dependencies=route.dependencies)
    async def online(request: GetOnlineFeaturesRequest):
        try:
            await asyncio.to_thread(check, request)
        except Refusal as refusal:
            raise HTTPException(refusal.status, str(refusal)) from refusal
        return await route.endpoint(request)
