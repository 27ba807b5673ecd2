# ruff: noqa: F401  (imported for the tables they declare)
"""Every table of the town in one metadata: what migrations, checks and key rotation look at."""

import backend.booking.models
import backend.cases.models
import backend.catalogue.models
import backend.people.models
import backend.runtime.provider_tokens
import backend.store.chores
import backend.store.inbox
import backend.store.journal
import backend.store.outbox
import backend.store.vault
import courier.models
import notifications.models
import payments.bills.models
import payments.models
import payments.receipts.models
import payments.reconciliation.models
from backend.store.base import Base

METADATA = Base.metadata
