"""An adapter on a base in 4 bit."""

in_4_bit = transformers.BitsAndBytesConfig(load_in_4bit=True)
model = PeftModel.from_pretrained(new_base(quantization_config=in_4_bit), ADAPTER)
