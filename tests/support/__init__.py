"""What tests share: throw-away servers and the fixtures that hand them out."""
