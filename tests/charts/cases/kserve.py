from tests.charts.cases import Case

_ALL = {
    name: {"enabled": True}
    for name in ("mlserver", "tensorflow", "triton", "torchserve", "bentoml")
}

CASE = Case(
    namespace="kserve",
    values={"runtimes": _ALL, "features": {"agent": True, "graphs": True}},
    variants=[
        {"replicas": 2, "imagePullSecrets": [{"name": "site-registry"}]},
        {"credentialsEverywhere": False, "metrics": {"enabled": False}},
        {"proxy": {"https": "http://proxy.example:3128"}},
    ],
    refused=[
        ({"webhook": {"caBundle": "-----BEGIN CERTIFICATE-----"}}, "caBundle"),
        ({"webhook": {"secret": "Not A Name"}}, "secret"),
        ({"runtimes": {"mlserver": {"user": 0}}}, "user"),
        ({"runtimes": {"mlserver": {"formats": ["pickle"]}}}, "formats"),
        ({"storage": {"user": 0}}, "user"),
        ({"networkPolicy": {"apiServer": {"cidrs": []}}}, "cidrs"),
    ],
    maps_by_name={"inferenceservice-config": "its name is fixed in the controller"},
)
