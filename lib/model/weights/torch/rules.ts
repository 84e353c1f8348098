/**
 * What a weights file of PyTorch may contain: the closed list of Python's classes and functions,
 * and what each becomes here.
 */
import {
  addItems,
  PickleFault,
  PickleGlobal,
  PickleObject,
  type PickleRules,
  type PickleValue,
  setEntry,
} from "../../../pickle/values.ts";
import { DTYPES, isStorageClass, makeTensor, StorageTable, TensorRecord } from "./records.ts";

/** The rules for one file, and the storages its pickle has referred to so far. */
export interface TorchRules extends PickleRules {
  /** Storages by key. */
  storages: StorageTable;
}

/** Functions that are answered with a value of ours. */
const FUNCTIONS: Readonly<Record<string, (args: PickleValue[]) => PickleValue>> = {
  "collections.OrderedDict": ([items]) => dictionary(items),
  "collections.Counter": ([items]) => dictionary(items),
  "collections.defaultdict": ([, items]) => dictionary(items),
  "builtins.set": ([items]) => addItems(new Set(), list(items)),
  "builtins.frozenset": ([items]) => addItems(new Set(), list(items)),
  "builtins.bytes": () => new Uint8Array(0),
  "_codecs.encode": ([text]) => encodeLatin1(text),
  "torch.Size": ([sizes]) => list(sizes).slice(),
  "torch.device": () => new PickleObject("torch.device"),
  "torch._utils._rebuild_tensor": (args) => rebuildTensor(args),
  "torch._utils._rebuild_tensor_v2": (args) => rebuildTensor(args, undefined, args[6]),
  "torch._utils._rebuild_tensor_v3": (args) => rebuildTensor(args, dtypeName(args[6]), args[7]),
  "torch._utils._rebuild_parameter": ([data]) => tensor(data),
  "torch._utils._rebuild_parameter_with_state": ([data]) => tensor(data),
  "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => {
    if (rebuild instanceof PickleGlobal && rebuild.call !== undefined && Array.isArray(args)) {
      // One level only: nested calls could go on without end.
      if (REBUILDERS.has(rebuild.name)) return rebuild.call(args);
    }
    throw new PickleFault("a tensor is made in an unknown way");
  },
};

/** The functions that `_rebuild_from_type_v2` may call. */
const REBUILDERS: ReadonlySet<string> = new Set([
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_tensor_v3",
  "torch._utils._rebuild_parameter",
]);

/** Names that stand in a checkpoint without being called. */
const NAMES: ReadonlySet<string> = new Set([
  ...["bool", "bytearray", "complex", "dict", "float", "int", "list", "str", "tuple"]
    .map((name) => `builtins.${name}`),
  "torch.Tensor",
  "torch.nn.parameter.Parameter",
  "torch.nn.parameter.Buffer",
]);

/** Classes of which a checkpoint may hold objects; they become records of their attributes. */
const CLASSES: ReadonlySet<string> = new Set([
  "argparse.Namespace",
  "numpy.dtype",
  "numpy.ndarray",
  "numpy.core.multiarray.scalar",
  "numpy._core.multiarray.scalar",
  "numpy.core.multiarray._reconstruct",
  "numpy._core.multiarray._reconstruct",
  "torch.nn.backends.thnn._get_thnn_function_backend",
  "torch.nn.parallel.data_parallel.DataParallel",
  "torch.nn.parallel.distributed.DistributedDataParallel",
  "torchvision.models.alexnet.AlexNet",
  "torchvision.models.resnet.BasicBlock",
  "torchvision.models.resnet.ResNet",
]);

/** Families of such classes: the layers of PyTorch, its optimizers, and MRNet of any module. */
const CLASS_FAMILIES: readonly RegExp[] = [
  /^torch\.nn\.modules\.[a-z_]+\.[A-Z]\w*$/,
  /^torch\.optim\.[a-z_]+\.[A-Z]\w*$/,
  /^[\w.]+\.MRNet$/,
];

/** Makes the rules for one file. */
export function makeTorchRules(): TorchRules {
  const storages = new StorageTable();
  const globals = new Map<string, PickleGlobal | undefined>();
  return {
    storages,
    file: "a weights file",
    hints: {
      unlisted: "save model.state_dict() alone, if you trust where it comes from",
      damaged: "it is damaged or no PyTorch file, save it again",
    },
    find(module, name) {
      // Python 2's name, which protocol 2 still writes.
      const full = `${module === "__builtin__" ? "builtins" : module}.${name}`;
      if (!globals.has(full)) globals.set(full, findGlobal(full));
      return globals.get(full);
    },
    persistent(id) {
      if (!Array.isArray(id)) return undefined;
      const [kind, subject] = id;
      if (!(subject instanceof PickleGlobal)) return undefined;
      // The legacy form refers to a module's class so. The source code that it adds is not read.
      if (kind === "module") return subject;
      return storages.refer(id, subject.name.replace(/^.*\./, ""));
    },
  };
}

function findGlobal(name: string): PickleGlobal | undefined {
  if (Object.hasOwn(FUNCTIONS, name)) return new PickleGlobal(name, FUNCTIONS[name]);
  if (CLASSES.has(name) || CLASS_FAMILIES.some((family) => family.test(name))) {
    return new PickleGlobal(name, () => new PickleObject(name));
  }
  const own = /^torch\.(?:cuda\.|storage\.)?(\w+)$/.exec(name)?.[1];
  const inert = NAMES.has(name) ||
    own !== undefined && (isStorageClass(own) || Object.hasOwn(DTYPES, own));
  return inert ? new PickleGlobal(name) : undefined;
}

function list(value: PickleValue | undefined): PickleValue[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new PickleFault("its pickle makes a collection of what is none");
  return value;
}

/** A dictionary from nothing, from another, or from pairs. */
function dictionary(items: PickleValue | undefined): Map<PickleValue, PickleValue> {
  const made = new Map<PickleValue, PickleValue>();
  for (const pair of items instanceof Map ? items : list(items)) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new PickleFault("its pickle makes a dictionary of what are no pairs");
    }
    setEntry(made, pair[0], pair[1]);
  }
  return made;
}

function encodeLatin1(text: PickleValue | undefined): Uint8Array {
  if (typeof text !== "string") throw new PickleFault("its pickle encodes what is no text");
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function dtypeName(dtype: PickleValue | undefined): string {
  return dtype instanceof PickleGlobal ? dtype.name.replace(/^torch\./, "") : "unknown";
}

function rebuildTensor(
  args: PickleValue[],
  dtype?: string,
  metadata?: PickleValue,
): TensorRecord {
  const [storage, offset = null, shape = null, stride = null] = args;
  return makeTensor(storage, { offset, shape, stride }, dtype, metadata);
}

function tensor(value: PickleValue | undefined): TensorRecord {
  if (value instanceof TensorRecord) return value;
  throw new PickleFault("a parameter is made of what is no tensor");
}
