"""Models as ONNX graphs, which run without TensorFlow and scikit-learn."""
