"""Folders with two adapters."""

first, second = "first", "second"
for _folder in (first, second):
    _lora = LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False)
    get_peft_model(new_base(), _lora).save_pretrained(_folder)
