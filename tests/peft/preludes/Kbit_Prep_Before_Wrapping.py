"""A base model in 4 bit."""

in_4_bit = transformers.BitsAndBytesConfig(load_in_4bit=True)
base_model = new_base(quantization_config=in_4_bit)
