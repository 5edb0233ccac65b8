"""The systems that are measured: the bare floor, the straightforward peer, and Hourbridge."""
