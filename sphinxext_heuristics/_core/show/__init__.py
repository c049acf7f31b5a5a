"""The views: each says as plain data what is seen, and makes nodes of that alone.

They know neither the domain nor the application, and each other only through ``parts``.
"""
