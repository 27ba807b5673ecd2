import pytest

from backend import catalogue
from backend.store.unit import run_unit


@pytest.fixture(scope="session")
def register(database: str) -> None:
    """The register with its departments, regions and calendar, and no items yet of the test's own."""
    run_unit(catalogue.load_base_data)
