"""The plan of an aws stack: names, what is stateful, cost, permissions, SageMaker's definitions."""
