from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.finetune import loss
from pipeline.finetune.batches import collate
from pipeline.finetune.examples import Example, targets_learned


def tokens(targets: list[int], *, weight: float = 1.0, row: str = "a") -> Example:
    learned = sum(target != -100 for target in targets)
    return Example(row, {"input_ids": np.arange(len(targets))}, np.array(targets), weight, learned)


def test_a_causal_model_learns_only_where_targets_stand() -> None:
    """Gradients reach the positions before learned targets, and no other."""
    batch = collate([tokens([-100, -100, 3, 4]), tokens([-100, 2])], pad_token=0, head="causal")
    logits = torch.randn((2, 4, 6), requires_grad=True)
    loss.losses(logits, batch, head="causal").weighted().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    touched = logits.grad.abs().sum(-1) > 0
    assert touched.tolist() == [[False, True, True, False], [True, False, False, False]]


def test_a_causal_loss_is_that_of_transformers() -> None:
    from transformers.loss.loss_utils import ForCausalLMLoss

    batch = collate([tokens([-100, -100, 3, 4]), tokens([-100, 2])], pad_token=0, head="causal")
    logits = torch.randn((2, 4, 6), generator=torch.Generator().manual_seed(3))
    ours = loss.losses(logits, batch, head="causal").weighted() / loss.mass(batch, head="causal")
    theirs = ForCausalLMLoss(logits, batch.targets, vocab_size=6)
    torch.testing.assert_close(ours, theirs)


def test_losses_belong_to_their_rows() -> None:
    rows = [tokens([1, -100, 2]), tokens([-100, -100]), tokens([0])]
    batch = collate(rows, pad_token=0, head="token")
    logits = torch.randn((3, 3, 4), generator=torch.Generator().manual_seed(3))
    sums = loss.losses(logits, batch, head="token").per_row(3)
    logged = -logits.log_softmax(-1)
    torch.testing.assert_close(
        sums, torch.stack([logged[0, 0, 1] + logged[0, 2, 2], torch.tensor(0.0), logged[2, 0, 0]])
    )


def test_class_weights_make_classes_equal_in_sum() -> None:
    rows = [tokens([0, 0, 0, 1]), tokens([0, 0, -100, 2])]
    found = loss.class_weights(rows, 3, head="token")
    assert found is not None
    assert (found * torch.tensor([5, 1, 1])).tolist() == pytest.approx([7 / 3] * 3)


def test_class_weights_are_bounded_and_a_missing_class_is_no_fault() -> None:
    rows = [Example(str(n), {"input_ids": np.arange(2)}, np.asarray(0), 1.0, 1) for n in range(1000)]
    found = loss.class_weights(rows, 4, head="sequence")
    assert found is not None
    assert found.tolist() == pytest.approx([0.25, 10, 10, 10])


def test_a_multilabel_yes_weighs_as_much_as_all_its_noes() -> None:
    rows = [
        Example(str(n), {"input_ids": np.arange(2)}, np.array([float(n == 0), 1.0], dtype=np.float32), 1.0, 2)
        for n in range(4)
    ]
    found = loss.class_weights(rows, 2, head="multilabel")
    assert found is not None
    assert found.tolist() == pytest.approx([3.0, 0.1])
    batch = collate(rows, pad_token=0, head="multilabel")
    assert float(loss.mass(batch, head="multilabel")) == 8
    assert len(loss.losses(torch.zeros((4, 2)), batch, head="multilabel").losses) == 8


def test_a_number_is_learned_by_its_squared_error_and_an_unknown_one_not_at_all() -> None:
    rows = [
        Example(str(n), {"input_ids": np.arange(2)}, np.array([value], dtype=np.float32), weight, int(n != 1))
        for n, (value, weight) in enumerate([(0.5, 1.0), (float("nan"), 1.0), (-1.0, 3.0)])
    ]
    assert [targets_learned(row.targets, head="number") for row in rows] == [1, 0, 1]
    batch = collate(rows, pad_token=0, head="number")
    logits = torch.tensor([[0.0], [9.0], [1.0]], requires_grad=True)
    found = loss.losses(logits, batch, head="number")
    weighed = found.weighted().detach() / loss.mass(batch, head="number")
    assert found.per_row(3).tolist() == [0.25, 0.0, 4.0]
    assert float(weighed) == pytest.approx((0.25 + 3 * 4.0) / 4)
    found.weighted().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.tolist() == [[-1.0], [0.0], [12.0]]
    assert loss.class_weights(rows, 1, head="number") is None
