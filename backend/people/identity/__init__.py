"""The telephone to the identity authority: do this name and this number belong together?"""

from backend.people.identity.port import Authority, authority, use_authority

__all__ = ["Authority", "authority", "use_authority"]
