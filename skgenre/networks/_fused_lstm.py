"""LSTM layers whose frames go through one operation instead of a loop."""

from __future__ import annotations

from typing import Any

from skgenre.utils._tf import import_keras


def fused_lstm(n_units: int, **settings: Any) -> Any:
    """Build a Keras LSTM layer that is quick without a GPU.

    Keras has a fast path for GPUs only; on a processor it runs some twenty operations a
    frame. Here the one operation that TensorFlow has for a whole sequence takes over
    where it computes the same: cells with Keras' own activations in single precision, no GPU.
    It has first derivatives only. The layer stays a
    ``keras.layers.LSTM``; what is saved of it can be loaded without skgenre.

    Parameters
    ----------
    n_units : int
        Width of the layer.
    **settings : object
        Further arguments of ``keras.layers.LSTM``.

    Returns
    -------
    layer : keras.layers.LSTM
        The layer.
    """
    keras = import_keras()
    import tensorflow as tf

    layer = keras.layers.LSTM(n_units, **settings)
    cell, loop = layer.cell, layer.inner_loop

    def one_operation(
        sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        if mask is not None:
            return loop(sequences, initial_state, mask, training=training)
        if training and cell.dropout:
            # One mask for all frames, as in the loop.
            sequences *= cell.get_dropout_mask(sequences[:, 0])[:, None]
        h_first, c_first = initial_state
        frames = tf.transpose(sequences, [1, 0, 2])
        unused = tf.zeros([n_units])
        # Keras has the gates in the order i, f, c, o, and so would BlockLSTMV2; but TensorFlow
        # takes BlockLSTM's gradient for both, which is wrong for any order but i, c, f, o.
        run = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.shape(frames, out_type=tf.int64)[0],
            x=frames,  # (n_frames, n, n_features)
            cs_prev=c_first,
            h_prev=h_first,
            w=_reordered(tf.concat([cell.kernel.value, cell.recurrent_kernel.value], axis=0)),
            wci=unused,
            wcf=unused,
            wco=unused,
            b=_reordered(cell.bias.value),
            forget_bias=0.0,  # Keras has it in the bias
            cell_clip=0.0,
        )
        return run.h[-1], tf.transpose(run.h, [1, 0, 2]), [run.h[-1], run.cs[-1]]

    same = (
        cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and cell.use_bias
        and not (cell.recurrent_dropout or layer.go_backwards)
        and layer.compute_dtype == "float32"
    )
    if same and not tf.config.list_physical_devices("GPU"):
        layer.inner_loop = one_operation
        layer.supports_jit = False  # XLA does not know the operation
    return layer


def _reordered(gates: Any) -> Any:
    """Bring the columns of gates from the order i, f, c, o to i, c, f, o."""
    import tensorflow as tf

    i, f, c, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)
