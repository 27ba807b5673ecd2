"""Every table of the town in one metadata: what migrations, checks and key rotation look at."""

import payments.bill_models
import payments.models  # noqa: F401
from backend.store.base import Base

METADATA = Base.metadata
