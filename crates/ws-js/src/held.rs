//! Rust values that live as long as a JavaScript object.
//!
//! V8 offers no finalizers in isolates that threads share, so an object's share of a value is held by the backing store
//! of an `ArrayBuffer` that no script can reach: what frees that, frees the share.

use std::any::Any;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use crate::binding;

type Share = Arc<dyn Any + Send + Sync>;

/// Makes a buffer that keeps `value`. `size` is what V8's collector is told of its size in bytes.
///
/// The buffer must not get to any script: it goes into the data of native functions and private properties only.
pub(crate) fn hold<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: Share,
    size: usize,
) -> v8::Local<'s, v8::ArrayBuffer> {
    let data = Box::into_raw(Box::new(value)).cast::<c_void>();
    // SAFETY: `data` stays valid until `release` has freed the box, which V8 has done once, from any thread: a `Share`
    // may be sent and shared. Nobody reads or writes the store's bytes, see above.
    let store =
        unsafe { v8::ArrayBuffer::new_backing_store_from_ptr(data, size.max(1), release, null_mut()) };
    v8::ArrayBuffer::with_backing_store(scope, &store.make_shared())
}

unsafe extern "C" fn release(data: *mut c_void, _: usize, _: *mut c_void) {
    // SAFETY: `hold` has made the store of this very pointer, and V8 frees a store once.
    drop(unsafe { Box::from_raw(data.cast::<Share>()) });
}

/// The value of a buffer that [`hold`] has made, if it is a `T`.
///
/// The data of native functions of ours and our private properties have no other buffers.
pub(crate) fn value_of<T: Any + Send + Sync>(buffer: v8::Local<'_, v8::Value>) -> Option<Arc<T>> {
    let buffer = v8::Local::<v8::ArrayBuffer>::try_from(buffer).ok()?;
    let data = buffer.get_backing_store().data()?;
    // SAFETY: the pointer is that of `hold`, whose box the buffer keeps while it is looked at.
    let share = unsafe { data.cast::<Share>().as_ref() };
    Arc::clone(share).downcast().ok()
}

/// Has `object` keep `value` where no script can name it; `name` tells kinds of values apart.
pub(crate) fn keep<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    value: Share,
    size: usize,
) {
    let share = hold(scope, value, size).into();
    keep_share(scope, object, name, share);
}

/// Like [`keep`], for a buffer that functions of the object have, too.
pub(crate) fn keep_share<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    share: v8::Local<'s, v8::Value>,
) {
    let key = key(scope, name);
    object.set_private(scope, key, share);
}

/// The value that [`keep`] has put into an object.
pub(crate) fn kept<T: Any + Send + Sync>(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    name: &str,
) -> Option<Arc<T>> {
    let object = v8::Local::<v8::Object>::try_from(value).ok()?;
    let key = key(scope, name);
    value_of(object.get_private(scope, key)?)
}

fn key<'s>(scope: &mut v8::PinScope<'s, '_>, name: &str) -> v8::Local<'s, v8::Private> {
    let name = binding::string(scope, name);
    v8::Private::for_api(scope, Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_scope;

    #[test]
    fn a_value_is_freed_with_the_object_that_keeps_it() {
        with_scope(|scope| {
            let value = Arc::new(7_u64);
            let seen = Arc::downgrade(&value);
            {
                v8::scope!(let scope, &mut *scope);
                let object = v8::Object::new(scope);
                keep(scope, object, "number", value, 8);
                assert_eq!(kept::<u64>(scope, object.into(), "number").as_deref(), Some(&7));
                assert_eq!(kept::<u32>(scope, object.into(), "number"), None, "of another type");
                assert_eq!(kept::<u64>(scope, object.into(), "other"), None, "under another name");
                assert_eq!(seen.strong_count(), 1, "V8 still has it");
            }
            scope.low_memory_notification();
            scope.low_memory_notification();
            assert_eq!(seen.strong_count(), 0);
        });
    }
}
