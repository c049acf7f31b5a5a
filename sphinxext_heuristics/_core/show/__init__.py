"""The views: each says as plain data what is seen, and makes nodes of that alone.

They do not know the domain, and each other only through ``parts``.
"""
