import { registerHooks } from 'node:module';

/** Put before a program: the optional package is not to be found, as on a machine where nobody installed it. */
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier !== 'onnxruntime-web') return next(specifier, context);
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' });
  },
});
