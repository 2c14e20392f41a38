"""Small, randomly initialised models and tokenizers of the kinds that are exported."""

from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(chr(c) for c in range(33, 127)), "you", "nice"]
ROBERTA_WORDS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *WORDS[4:]]


def word_piece() -> Tokenizer:
    """Words of one character, and two longer ones, in BERT's frame."""
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special: Any = AddedToken  # typed in some releases of what is installed, untyped in others
    tokenizer.add_special_tokens([special(word, special=True) for word in WORDS[:4]])
    return tokenizer


def framed_by_s() -> Tokenizer:
    """The same words in the frame of RoBERTa and XLM-R, whose pad is 1."""
    words = {w: i for i, w in enumerate(ROBERTA_WORDS)}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


_SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "max_position_embeddings": 256,
}


def bert_config(**more: Any) -> Any:
    return transformers.BertConfig(vocab_size=len(WORDS), **_SMALL, **more)


def roberta_config(**more: Any) -> Any:
    return transformers.RobertaConfig(
        vocab_size=len(ROBERTA_WORDS), pad_token_id=1, bos_token_id=0, eos_token_id=2,
        **_SMALL, **more,
    )  # fmt: skip


def xlm_roberta_config(**more: Any) -> Any:
    return transformers.XLMRobertaConfig(
        vocab_size=len(ROBERTA_WORDS), pad_token_id=1, bos_token_id=0, eos_token_id=2,
        **_SMALL, **more,
    )  # fmt: skip


def albert_config(**more: Any) -> Any:
    return transformers.AlbertConfig(
        vocab_size=len(WORDS), embedding_size=32, pad_token_id=0, **_SMALL, **more
    )


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    bert = tokenizer.token_to_id("[PAD]") is not None
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]" if bert else "<pad>",
        unk_token="[UNK]" if bert else "<unk>",
    ).save_pretrained(folder)
