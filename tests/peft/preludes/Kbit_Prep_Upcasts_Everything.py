"""A base model in 4 bit, whose head is in bfloat16."""

in_4_bit = transformers.BitsAndBytesConfig(load_in_4bit=True)
base_model = new_base(quantization_config=in_4_bit, dtype=torch.bfloat16)
