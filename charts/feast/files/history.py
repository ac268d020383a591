"""`POST /historical-features`: what the online features were, over a time, for training.

The online server and this route read one registry, so a model is trained on the very features that
it is asked with. Either `entities` names rows and moments, or `start` and `end` a span of time.
"""

import asyncio
import datetime

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

MOST_ROWS = 1_000_000


class Query(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")

    features: list[str] = Field(min_length=1, max_length=500)
    entities: dict[str, list] | None = None
    event_timestamps: list[datetime.datetime] | None = None
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None


def add(app, store):
    """Add the routes to Feast's application."""

    @app.post("/historical-features")
    async def historical(query: Query):
        return await asyncio.to_thread(answer, store, query)

    @app.get("/feature-views")
    async def views():
        return await asyncio.to_thread(listing, store)


def listing(store):
    """Names of the feature views, each with its features and the columns that name its rows."""
    return {
        view.name: {
            "features": {f.name: f.dtype.to_value_type().name for f in view.features},
            "entities": [column.name for column in view.entity_columns],
            "labels": [n for n in view.tags.get("labels", "").split(",") if n],
        }
        for view in store.list_feature_views()
    }


def answer(store, query):
    """The rows by column."""
    import pandas as pd
    from feast.errors import FeastError

    try:
        if query.entities is not None:
            moments = query.event_timestamps
            rows = len(next(iter(query.entities.values()), []))
            now = datetime.datetime.now(datetime.UTC)
            frame = pd.DataFrame(
                {**query.entities, "event_timestamp": moments if moments else [now] * rows}
            )
            frame["event_timestamp"] = pd.to_datetime(frame["event_timestamp"], utc=True)
            job = store.get_historical_features(entity_df=frame, features=query.features)
        else:
            end = query.end or datetime.datetime.now(datetime.UTC)
            start = query.start or end - datetime.timedelta(days=365)
            job = store.get_historical_features(
                features=query.features, start_date=start, end_date=end
            )
        found = job.to_df()
    except (FeastError, ValueError, KeyError) as error:
        raise HTTPException(422, f"{type(error).__name__}: {error}") from error
    if len(found) > MOST_ROWS:
        raise HTTPException(413, f"{len(found)} rows, at most {MOST_ROWS}: ask for less time")
    return {"rows": len(found), "columns": {name: plain(found[name]) for name in found.columns}}


def plain(column):
    """Values in a form for JSON; nothing is rounded."""
    values = column.astype(object).where(column.notna(), None).tolist()
    return [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
