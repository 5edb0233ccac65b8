"""The small runner that each service's main program uses."""
