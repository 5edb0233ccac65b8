"""What builds and checks the repository; nothing of it runs in production."""
