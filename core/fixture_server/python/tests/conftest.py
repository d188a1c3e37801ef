"""The fixtures of all Python modules."""

pytest_plugins = ["module_fixtures"]
