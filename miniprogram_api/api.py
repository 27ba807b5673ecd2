"""The citizens' surface itself; the stories beside it put their endpoints on it."""

from backend.runtime.surface import Surface

mp = Surface("mp", "/mp/v1", audience="citizen", title="市民窗口：小程序与市民端应用")
