"""A small ResNet with adapters."""

from transformers import ResNetConfig, ResNetModel

tiny = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
base_model = ResNetModel(tiny)
model = get_peft_model(base_model, LoraConfig(target_modules=["convolution"]))
