"""Platforms that vouch for a citizen: each turns what the client brings into a Proof, or says why not."""
