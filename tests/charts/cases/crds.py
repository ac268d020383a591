from tests.charts.cases import Case

CASE = Case(
    namespace="kube-system",
    variants=[{"keep": False, "groups": ["serving.kserve.io"]}, {"groups": []}],
    refused=[
        ({"groups": ["example.com"]}, "groups"),
        ({"groups": ["argoproj.io", "argoproj.io"]}, "groups"),
        ({"keep": "yes"}, "keep"),
    ],
)
