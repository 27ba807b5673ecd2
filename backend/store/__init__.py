"""All that touches the database: one engine, one unit of work, one journal, one outbox, one inbox."""
