def from_onnx(source, **options):
    raise NotImplementedError
