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


def labelled(*targets: object, weight: float = 1.0) -> list[Example]:
    """Rows of a sequence head: each with its class, or with the shares of all classes."""
    made = [np.asarray(one, dtype=np.float32 if isinstance(one, list) else np.int64) for one in targets]
    return [
        Example(str(n), {"input_ids": np.arange(2)}, one, weight + n, targets_learned(one, head="sequence"))
        for n, one in enumerate(made)
    ]


LOGITS = torch.tensor([[1.5, -0.5, 0.25], [0.0, 2.0, -1.0], [30.0, -30.0, 0.0]])


def test_shares_are_learned_by_their_cross_entropy() -> None:
    """By hand: minus the sum of share times log softmax; its gradient is softmax minus share."""
    rows = labelled([0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [float("nan")] * 3)
    batch = collate(rows, pad_token=0, head="sequence")
    logits = LOGITS.clone().requires_grad_()
    found = loss.losses(logits, batch, head="sequence")
    first, second = (np.exp(each) / np.exp(each).sum() for each in LOGITS[:2].double().numpy())
    by_hand = [-(0.5 * np.log(first[0]) + 0.25 * np.log(first[1]) + 0.25 * np.log(first[2])), -np.log(second[1])]
    assert found.per_row(3).tolist() == pytest.approx([*by_hand, 0.0], rel=1e-6)
    assert float(loss.mass(batch, head="sequence")) == 1 + 2
    found.weighted().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad[0].numpy(), first - [0.5, 0.25, 0.25], rtol=1e-5)
    assert logits.grad[2].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("weights", [None, torch.tensor([0.3, 3.0, 0.7])])
def test_shares_of_one_and_none_are_the_hard_loss_exactly(weights: torch.Tensor | None) -> None:
    hard = collate(labelled(2, 1, 0), pad_token=0, head="sequence")
    certain = [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]
    soft = collate(labelled(*certain), pad_token=0, head="sequence")
    one, two = (loss.losses(LOGITS, batch, head="sequence", class_weights=weights) for batch in (hard, soft))
    assert torch.equal(one.losses, two.losses)
    assert torch.equal(one.weights, two.weights)
    assert torch.equal(
        loss.mass(hard, head="sequence", class_weights=weights), loss.mass(soft, head="sequence", class_weights=weights)
    )


def test_class_weights_count_shares_as_parts_of_rows() -> None:
    rows = labelled([0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [float("nan")] * 3, [0.5, 0.25, 0.25])
    found = loss.class_weights(rows, 3, head="sequence")
    assert found is not None
    assert found.tolist() == pytest.approx([3 / (3 * 2), 1.0, 1.0])
    weight = loss.mass(collate(rows[:1], pad_token=0, head="sequence"), head="sequence", class_weights=found)
    assert float(weight) == pytest.approx(0.5 * 0.5 + 0.5 * 1.0)


def test_several_labels_are_learned_each_as_its_share() -> None:
    """By hand: the binary cross entropy against 0.25."""
    row = Example("a", {"input_ids": np.arange(2)}, np.array([0.25, 1.0], dtype=np.float32), 1.0, 2)
    found = loss.losses(torch.tensor([[0.5, 2.0]]), collate([row], pad_token=0, head="multilabel"), head="multilabel")
    yes = 1 / (1 + np.exp(-0.5))
    by_hand = [-(0.25 * np.log(yes) + 0.75 * np.log(1 - yes)), -np.log(1 / (1 + np.exp(-2.0)))]
    assert found.losses.tolist() == pytest.approx(by_hand, rel=1e-6)
