"""`make demo`: five journeys through the open town, over HTTP, as the mini-programs and windows would make them."""
