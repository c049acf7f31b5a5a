"""An adapter of a method that cannot be merged into its base in 8 bit."""

get_peft_model(new_base(), IA3Config(task_type="CAUSAL_LM")).save_pretrained(ADAPTER)
in_8_bit = transformers.BitsAndBytesConfig(load_in_8bit=True)
model = PeftModel.from_pretrained(new_base(quantization_config=in_8_bit), ADAPTER)
