"""The monthly estimate: what is known is added up, what is unknown is said."""

from __future__ import annotations

from typing import Any

from mlops_infra.plan.aws.cost import estimate
from mlops_infra.plan.aws.prices import load_prices

ENDPOINT = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"


def variants(*each: dict[str, Any]) -> dict[str, Any]:
    return {"productionVariants": list(each)}


def test_two_machines_by_the_hour() -> None:
    two = variants(
        {"variantName": "champion", "instanceType": "ml.m5.large", "initialInstanceCount": 2.0}
    )
    found = estimate([(ENDPOINT, "demand", two)], "us-east-1")
    assert round(found.monthly, 2) == round(2 * 0.115 * 730, 2) == 167.90


def test_a_price_of_another_region_is_beside_the_unknown_one_and_not_in_its_sum() -> None:
    key = ("aws:kms/key:Key", "data", {})
    found = estimate([key], "ap-northeast-2")
    assert found.monthly == 0
    assert [line.price for line in found.unpriced] == [None]
    assert found.reference_monthly == 1


def test_a_machine_without_a_price_is_unknown_everywhere() -> None:
    one = variants({"variantName": "a", "instanceType": "ml.q9.large", "initialInstanceCount": 1})
    line = next(
        e
        for e in estimate([(ENDPOINT, "x", one)], "us-east-1").lines
        if e.item.startswith("sagemaker-instance")
    )
    assert (line.price, line.monthly, line.reference_price) == (None, None, None)


def test_what_is_paid_by_use_has_a_price_and_no_sum() -> None:
    serverless = variants({"variantName": "a", "serverlessConfig": [{"memorySizeInMb": 2048.0}]})
    found = estimate([(ENDPOINT, "x", serverless)], "us-east-1")
    assert found.monthly == 0
    assert {(line.quantity, line.price) for line in found.lines} == {(2.0, 2e-05), (1, 0.016)}


def test_interface_endpoints_count_each_zone_and_gateways_cost_nothing() -> None:
    vpc = "aws:ec2/vpcEndpoint:VpcEndpoint"
    inside = {"vpcEndpointType": "Interface", "subnetIds": ["a", "b"]}
    found = estimate(
        [(vpc, "sts", inside), (vpc, "s3", {"vpcEndpointType": "Gateway"})], "us-east-1"
    )
    assert round(found.monthly, 2) == 14.60
    assert found.free == 1


def test_a_type_that_nobody_knows_is_named_and_counted() -> None:
    found = estimate([("aws:new/thing:Thing", str(n), {}) for n in range(3)], "us-east-1")
    assert found.unknown == {"aws:new/thing:Thing": 3}
    assert found.as_dict()["unknownTypes"] == {"aws:new/thing:Thing": 3}


def test_the_table_has_its_date_both_regions_and_only_sane_prices() -> None:
    table = load_prices()
    assert {"us-east-1", "ap-northeast-2"} <= set(table.regions)
    assert table.written.year >= 2026
    for items in table.regions.values():
        for item in items.values():
            amounts = item["sizes"].values() if "sizes" in item else [item["price"]]
            assert all(0 < amount < 200 for amount in amounts)
            assert isinstance(item["checked"], bool)
