from quantassay.domain.remembered import remembered


def test_the_same_objects_are_asked_about_once_and_equal_ones_anew():
    calls = []

    @remembered
    def total(numbers, factor):
        calls.append(numbers)
        return sum(numbers) * factor

    numbers = [1, 2]
    assert (total(numbers, 3), total(numbers, 3), len(calls)) == (9, 9, 1)
    assert (total([1, 2], 3), len(calls)) == (9, 2)
    assert (total(numbers, 3), len(calls)) == (9, 3)


def test_another_argument_is_another_question():
    @remembered
    def joined(*words):
        return " ".join(words)

    assert [joined("a", "b"), joined("a"), joined("b", "a"), joined("a", "b")] == ["a b", "a", "b a", "a b"]
