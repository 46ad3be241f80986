"""The twelve checks of the pipeline file as expectations of Great Expectations, which runs beside us as a peer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def check(rows: DataFrame) -> None:
    """Validate all rows.

    Raises:
        SystemExit: a check failed, or another number of them was asked.
    """
    import great_expectations as gx
    from great_expectations import expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asked = [
        *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("order_id", "customer", "ordered_at", "status")),
        gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=100_000),
        gxe.ExpectColumnValuesToBeBetween(column="quantity", min_value=1, max_value=100),
        gxe.ExpectColumnValuesToBeBetween(column="discount", min_value=0, max_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="tax", min_value=0, max_value=1),
        gxe.ExpectColumnValuesToBeInSet(column="currency", value_set=["EUR", "CHF", "PLN", "SEK"]),
        gxe.ExpectColumnValuesToMatchRegex(column="sku", regex="^sku-[0-9a-f]{16}$"),
        gxe.ExpectColumnValuesToMatchRegex(column="email", regex="^[^@]+@[^@]+$"),
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
    ]
    suite = gx.ExpectationSuite(name="orders", expectations=asked)
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("orders")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    found = batch.validate(suite, result_format="BASIC")
    if not found.success or len(found.results) != 12:
        sys.exit(f"{len(found.results)} checks, of which these failed: {[r for r in found.results if not r.success]}")
