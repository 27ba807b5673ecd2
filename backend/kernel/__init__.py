"""Ground floor: what everybody may use and what needs nobody.

Pure Python without a web framework, database, queue or HTTP client, so that a rule can be
read and tried alone. Import the rooms by name: `from backend.kernel import clock, ids`.
"""
