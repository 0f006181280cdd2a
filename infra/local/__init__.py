"""The laptop: a local AWS, this repository's template on it, and pages to see what happens.

Nothing here is deployed, and nothing that is deployed imports it.
"""
