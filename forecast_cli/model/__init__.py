"""A trained model at rest, as one file, and at work, by ONNX Runtime."""
